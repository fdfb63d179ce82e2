# $1: the word so far. The words of -o are separated by commas.
_isomount_options() {
  local before=
  [[ $1 == *,* ]] && before=${1%,*},
  compgen -P "$before" -W "@OPTIONS@" -- "${1##*,}"
}

# $1: the word so far. Completes mount points of isomount, also as seen from here.
_isomount_mounted() {
  local IFS=$'\n' mounted
  mounted=$(findmnt -nlo TARGET -t fuse.isomount)
  compgen -W "$mounted" -- "$1"
  compgen -W "$(grep -F "$PWD/" <<<"$mounted" | cut -c $((${#PWD} + 2))-)" -- "$1"
}
