# The writer of the boot menu is killed at calls that change a file on a real FAT, and fails in others: the menu is whole,
# the old one or the new one, and the next run makes of it what it would have been, with nothing left over.
# It may take 900 s.

needs enact
needs mkfs.vfat
needs mcopy
needs gcc
needs strace

mkdir "$place/work"
mount -t tmpfs tmpfs "$place/work"
"$checkout/tests/vm/esp/run" --directory "$place/work" calls
