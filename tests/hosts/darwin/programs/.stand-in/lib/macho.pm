# Mach-O headers, as <mach-o/loader.h> has them: slices [architecture, file type, load commands].
package macho; use strict; use warnings;
my %CPU = (0x01000007 => 'x86_64', 0x0100000c => 'arm64');
sub slices { my $file = shift; open my $in, '<:raw', $file or return; read $in, my $head, 4096; my $magic = unpack 'N', $head . "\0" x 4;
  if ($magic == 0xcafebabe) { my $n = unpack 'N', substr $head, 4, 4; return if $n > 10; return map { my ($cpu, undef, $at, $size) = unpack 'N4', substr $head, 8 + 20 * $_, 16; seek $in, $at, 0; read $in, my $part, $size; one($part) } 0 .. $n - 1 }
  return if $magic != 0xcffaedfe; seek $in, 0, 0; local $/; one(scalar <$in>) }
sub one { my $data = shift; my (undef, $cpu, undef, $type, $count) = unpack 'V5', $data; my ($at, @commands) = (32);
  for (1 .. $count) { last if $at + 8 > length $data; my ($cmd, $size) = unpack 'V2', substr $data, $at, 8; last if $size < 8; push @commands, [$cmd, substr $data, $at, $size]; $at += $size }
  return { arch => $CPU{$cpu} // "cputype ($cpu)", type => $type, commands => \@commands, data => $data } }
1;
