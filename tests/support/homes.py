# ruff: noqa: E501 - start-up files are shown as they are
"""Ten users whose homes are as different as real ones are, in a throw-away Debian root.

What the tools in them do (frameworks, version managers) is played by a few lines that change PATH
where, when and how those tools do; none of their code is here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.root import Root

#: Another Go, wherever a home's own lines lead to.
FOREIGN = "#!/bin/sh\necho 'go version go1.21.0 foreign/made-up'\n"


@dataclass(frozen=True)
class Home:
    """A user: name, login shell, home, and the script that makes what is in it (run as that user,
    in the home)."""

    name: str
    shell: str
    home: str
    script: str


def _foreign(directory: str) -> str:
    return f"mkdir -p {directory}; printf '%s' \"$FOREIGN\" >{directory}/go; chmod 755 {directory}/go\n"


HOMES = (
    # A framework: sources its parts, and sets PATH on top as its template suggests.
    Home("omz", "/usr/bin/zsh", "/home/omz", r"""
mkdir -p .framework/lib .framework/plugins/golang
printf 'export PATH=$HOME/bin:/usr/local/bin:$PATH\nexport ZSH="$HOME/.framework"\nsource $ZSH/main.sh\n' >.zshrc
printf 'for f in $ZSH/lib/*.zsh; do source $f; done\nsource $ZSH/plugins/golang/golang.plugin.zsh\n' >.framework/main.sh
printf 'autoload -Uz add-zsh-hook\nsetopt prompt_subst\n' >.framework/lib/theme.zsh
printf 'alias gob="go build"\nalias go-home="cd $(printf %s /tmp)"\n' >.framework/plugins/golang/golang.plugin.zsh
"""),
    # Dotfiles in a work tree, linked into the home.
    Home("dots", "/bin/bash", "/home/dots", r"""
mkdir -p .dotfiles
for f in bashrc profile zshrc; do
  if [ -f .$f ]; then mv .$f .dotfiles/$f; else echo '# mine' >.dotfiles/$f; fi
  ln -s .dotfiles/$f .$f
done
"""),
    # gvm: sourced at the end of .bashrc, exports GOROOT and puts its own go first.
    Home("gvm", "/bin/bash", "/home/gvm", _foreign("$HOME/.gvm/gos/go1.21/bin") + r"""
mkdir -p .gvm/scripts
printf 'export GOROOT=$HOME/.gvm/gos/go1.21\nexport PATH=$GOROOT/bin:$PATH\n' >.gvm/scripts/gvm
printf '[[ -s "$HOME/.gvm/scripts/gvm" ]] && source "$HOME/.gvm/scripts/gvm"\n' >>.bashrc
"""),
    # asdf: shims at the end of .bashrc and .zshrc, in front of everything.
    Home("asdf", "/usr/bin/zsh", "/home/asdf", _foreign("$HOME/.asdf/shims") + r"""
mkdir -p .asdf
printf 'PATH="$HOME/.asdf/shims:$HOME/.asdf/bin:$PATH"\n' >.asdf/asdf.sh
printf '. "$HOME/.asdf/asdf.sh"\n' >>.bashrc
printf '# zsh\n. "$HOME/.asdf/asdf.sh"\n' >>.zshrc
"""),
    Home("plain", "/bin/bash", "/home/plain", ""),  # what Debian's /etc/skel gives
    Home("fishy", "/usr/bin/fish", "/home/fishy", _foreign("$HOME/.local/foreign") + r"""
rm -f .bashrc .profile .bash_logout .mkshrc
mkdir -p .config/fish .local/share/fish
printf 'if status is-interactive\n    set -gx PATH $HOME/.local/foreign $PATH\nend\n' >.config/fish/config.fish
# It makes its files when it is first started in a terminal.
tmux -L first new-session -d -x 80 -y 24 fish; sleep 1; tmux -L first send-keys exit Enter; sleep 0.5
tmux -L first kill-server 2>/dev/null || :
"""),
    Home("shonly", "/bin/sh", "/home/shonly", r"""
rm -f .bashrc .bash_logout .mkshrc
printf 'ENV=$HOME/.shinit; export ENV\nPATH=$HOME/bin:$PATH\n' >.profile
printf "PS1='$ '\n" >.shinit
"""),
    Home("zdot", "/usr/bin/zsh", "/home/it's a home", r"""
mkdir -p .config/zsh
printf 'export ZDOTDIR="$HOME/.config/zsh"\nunsetopt GLOBAL_RCS\n' >.zshenv
printf 'PATH=/usr/local/bin:/usr/bin:/bin\n' >.config/zsh/.zshrc
"""),
    # Old, strange and strict; every one of these lines is found somewhere.
    Home("hard", "/bin/bash", "/home/hard", r"""
rm -f .profile
printf 'set -o noclobber\nalias export=export\numask 077\nexport PATH=$PATH:/caf\351\r\n' >.bashrc
printf '# last line without an end\nif [ -f ~/.bashrc ]; then . ~/.bashrc; fi; PATH=$PATH:\\\n/extra' >.bash_login
printf 'set -u\nIFS=:\n' >.zshenv
chmod 400 .bash_login
"""),
)  # fmt: skip


def make(root: Root) -> list[str]:
    """Makes the nine users and their homes; their names, and root."""
    for home in HOMES:
        root.run(["useradd", "-m", "-d", home.home, "-s", home.shell, home.name], check=True)
        if home.script:
            script = f"cd; FOREIGN={_quoted(FOREIGN)}\n{home.script}"
            root.run(["su", "-s", "/bin/sh", home.name, "-c", script], check=True)
    return ["root", *(home.name for home in HOMES)]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
