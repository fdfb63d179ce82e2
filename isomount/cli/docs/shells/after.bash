# The first word is a verb or an image, the one after an image a directory.
_shtab_isomount_pos_0_COMPGEN=_shtab_compgen_files
_shtab_isomount_pos_1_COMPGEN=_shtab_compgen_dirs

# readline splits "uid=0" into three words, which are joined here.
_isomount() {
  local -a whole=()
  local index word glue=
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $word == "=" || $glue ]]; then
      whole[-1]+=$word
    else
      whole+=("$word")
    fi
    [[ $word == "=" ]] && glue=1 || glue=
  done
  local -a COMP_WORDS=("${whole[@]}")
  local COMP_CWORD=$((${#whole[@]} - 1))
  _shtab_isomount "$@"
  word=${whole[-1]}
  # readline only replaces what follows the "=".
  [[ $word == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%=*}="}")
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o bashdefault -F _isomount isomount
