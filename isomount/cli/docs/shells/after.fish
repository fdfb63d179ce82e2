# The first word is a verb or an image, the one behind an image a folder.
complete -c isomount -n '_shtab_isomount_using; and test $_shtab_isomount_npos -lt 2' -F
