# $1: the word so far. The words of -o are separated by commas.
_isomount_options() {
  local before=
  [[ $1 == *,* ]] && before=${1%,*},
  compgen -P "$before" -W "@OPTIONS@" -- "${1##*,}"
}

# $1: the word so far. Completes mount points of isomount and files.
_isomount_mounted() {
  local IFS=$'\n'
  compgen -W "$(findmnt -nlo TARGET -t fuse.isomount)" -- "$1"
  compgen -f -- "$1"
}
