# The first word is a verb or an image, the one after an image a directory.
complete -c isomount -n '_shtab_isomount_using; and test $_shtab_isomount_npos -lt 2' -F
