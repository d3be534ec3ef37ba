"""Macs as data: what each stand-in is, and what it has of Apple's developer tools.

Versions, labels and answers are those of facts that were recorded by others; no Mac was asked.
What is made up says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Account:
    """A record of the directory service."""

    name: str
    uid: int
    home: str = ""
    login: str = "/bin/zsh"
    gid: int = 20
    hidden: bool = False
    admin: bool = False

    @property
    def directory(self) -> str:
        """The home."""
        return self.home or f"/Users/{self.name}"


@dataclass(frozen=True)
class Update:
    """Something that `softwareupdate -l` offers. `appears`: with which look it is there first."""

    label: str
    title: str
    version: str
    kind: str = "clt"
    sdk: str = ""
    receipt: str = ""
    size: int = 751786
    recommended: str = "YES"
    appears: int = 0
    action: str = ""
    fails: bool = False


@dataclass(frozen=True)
class Tools:
    """A tree of developer tools: the version of its receipt (of Xcode itself), and its SDK."""

    version: str
    sdk: str


@dataclass(frozen=True)
class Scenario:
    """One Mac. `machine` is what `uname -m` says, `arm64` what the hardware is."""

    version: str
    build: str
    machine: str = "arm64"
    arm64: bool = True
    translated: bool = False
    accounts: tuple[Account, ...] = ()
    command_line_tools: Tools | None = None
    xcode: Tools | None = None
    selected: str = ""
    licence_accepted: bool = True
    receipts: tuple[tuple[str, str], ...] = ()
    updates: tuple[Update, ...] = ()
    softwareupdate_says: str = ""
    csrutil: str = "System Integrity Protection status: enabled."
    logged_in: tuple[int, ...] = (501,)
    files: dict[str, str] = field(default_factory=dict)

    def but(self, **changed: object) -> Scenario:
        """The same Mac with something else about it."""
        return replace(self, **changed)  # type: ignore[arg-type]


#: kim administers (sudo), lee does not; the third is hidden as management tools make it.
PEOPLE = (
    Account("kim", 501, admin=True),
    Account("lee", 502, home="/Users/lee of it", login="/bin/bash"),
    Account("_mdm", 450, home="/var/empty", login="/usr/bin/false"),
    Account("support", 503, home="/var/support", hidden=True),
    Account("Guest", 201, home="/Users/Guest", login="/bin/bash"),
)
RECEIPT = "com.apple.pkg.CLTools_Executables"
CLT_16 = Tools("16.4.0.0.1.1747106510", "15.5")
CLT_26 = Tools("26.6.0.0.1.1781586589", "26.5")
OFFER_16 = Update(
    "Command Line Tools for Xcode-16.4", "Command Line Tools for Xcode", "16.4",
    sdk=CLT_16.sdk, receipt=CLT_16.version,
)  # fmt: skip
OFFER_26 = Update(
    "Command Line Tools for Xcode 26.6-26.6", "Command Line Tools for Xcode 26.6", "26.6",
    sdk=CLT_26.sdk, receipt=CLT_26.version, size=1023448,
)  # fmt: skip
OFFER_BETA = Update(
    "Command Line Tools beta 5 for Xcode-27.0", "Command Line Tools beta 5 for Xcode", "27.0",
    sdk="27.0", receipt="27.0.0.0.1.1790000000",
)  # fmt: skip
#: A whole macOS: whoever installs it has done somebody harm.
OFFER_MACOS = Update(
    "macOS Tahoe 26.7-25H1", "macOS Tahoe 26.7", "26.7", kind="macos", size=8388608,
    action="restart",
)  # fmt: skip

TAHOE = Scenario("26.1", "25B78", accounts=PEOPLE, updates=(OFFER_26, OFFER_MACOS))
SEQUOIA = Scenario("15.5", "24F74", accounts=PEOPLE, updates=(OFFER_16,))
VENTURA = Scenario("13.7", "22H123", "x86_64", arm64=False, accounts=PEOPLE, updates=(OFFER_16,))
MONTEREY = Scenario("12.2", "21D49", accounts=PEOPLE)
BIG_SUR = Scenario("11.7", "20G817", "x86_64", arm64=False, accounts=PEOPLE)
CATALINA = Scenario("10.15.7", "19H15", "x86_64", arm64=False, accounts=PEOPLE)

SCENARIOS = {
    "tahoe": TAHOE,
    "sequoia": SEQUOIA,
    "ventura intel": VENTURA,
    "monterey 12.2": MONTEREY,
    "big sur intel": BIG_SUR,
    "catalina intel": CATALINA,
    "under rosetta": TAHOE.but(machine="x86_64", translated=True),
    "with tools": TAHOE.but(command_line_tools=CLT_26, updates=()),
    # After an upgrade of macOS: the selection is set, the directory is gone, the receipt stays.
    "stale tools": TAHOE.but(
        selected="/Library/Developer/CommandLineTools", receipts=((RECEIPT, CLT_16.version),)
    ),
    "tools without a receipt": TAHOE.but(
        command_line_tools=CLT_26, receipts=((RECEIPT, ""),), updates=()
    ),
    "receipt without tools": TAHOE.but(receipts=((RECEIPT, CLT_26.version),)),
    "older tools": TAHOE.but(command_line_tools=CLT_16),
    "xcode": TAHOE.but(
        xcode=Tools("26.6", "26.5"), selected="/Applications/Xcode.app/Contents/Developer"
    ),
    "xcode and tools": TAHOE.but(
        xcode=Tools("26.6", "26.5"),
        selected="/Applications/Xcode.app/Contents/Developer",
        command_line_tools=CLT_16,
        updates=(),
    ),
    "xcode unlicensed": TAHOE.but(xcode=Tools("26.6", "26.5"), licence_accepted=False),
    "both on offer": TAHOE.but(updates=(OFFER_16, OFFER_26, OFFER_MACOS)),
    "betas on offer": TAHOE.but(updates=(OFFER_16, OFFER_26, OFFER_BETA)),
    "only betas": TAHOE.but(updates=(OFFER_BETA,)),
    "third look": TAHOE.but(updates=(replace(OFFER_26, appears=3),)),
    "failing download": TAHOE.but(updates=(replace(OFFER_26, fails=True),)),
    # The label never shows: the dialogue alone would install it.
    "dialogue only": TAHOE.but(updates=()),
    # Made up: what is recorded of managed Macs is that the label does not come, not what is said.
    "managed": TAHOE.but(softwareupdate_says="Software updates are managed by your organization."),
    "sip off": TAHOE.but(csrutil="System Integrity Protection status: disabled."),
    "sip partly": TAHOE.but(
        csrutil="System Integrity Protection status: unknown (Custom Configuration).\n\n"
        "Configuration:\n\tApple Internal: disabled\n\tKext Signing: enabled\n"
        "\tFilesystem Protections: disabled"
    ),
}
