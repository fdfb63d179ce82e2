_isomount_options() {
  compset -P '*,'
  local -a words=(@OPTIONS@)
  compadd -S '' -- $words
}

_isomount_mounted() {
  local -a mounted=(${(f)"$(findmnt -nlo TARGET -t fuse.isomount)"})
  compadd -- $mounted ${${(M)mounted:#$PWD/*}#$PWD/} # also as seen from here
}

# The first word is a verb or an image.
functions[_isomount_verbs]=$functions[_shtab_isomount_commands]
_shtab_isomount_commands() {
  _isomount_verbs
  _files
}

# The word after an image is a directory.
functions[_isomount_words]=$functions[_shtab_isomount]
_shtab_isomount() {
  _isomount_words "$@"
  (( compstate[nmatches] )) || _files
}
