# bash completion of mailbearer(1). Verbs and their words come from `mailbearer --help`, options from `mailbearer help
# VERB`, accounts from the configuration, queue ids from the queue: nothing in here grows old.

_mailbearer_shapes() {
  "$1" --help 2>/dev/null | sed -n 's/^  \([a-z]\)/\1/; t cut; d; :cut; s/  .*//; p'
}

# The word that may stand as number $2 behind the verbs and words before it.
_mailbearer_next() { # program, words so far...
  local program=$1 shape
  shift
  local -a given=("$@") parts
  local at=${#given[@]} i
  while read -r -a parts; do
    for ((i = 0; i < at; i++)); do
      # A word of the shape in small letters is a verb; one in capitals stands for anything.
      [[ ${parts[i]-} == "${given[i]}" || ${parts[i]-} == *[A-Z]* ]] || continue 2
    done
    printf '%s\n' "${parts[at]-}"
  done < <(_mailbearer_shapes "$program")
}

_mailbearer_accounts() {
  "$@" config show 2>/dev/null | sed -n 's/^\[account \(.*\)\].*/\1/p'
}

_mailbearer_words() { # program, profile option, shape of a word
  local program=$1 profile=$2 shape=$3
  local -a call=("$program" ${profile:+"$profile"})
  case $shape in
    '') ;;
    *ACCOUNT*) _mailbearer_accounts "${call[@]}" ;;
    *KIND*) "$program" --help 2>/dev/null | sed -n 's/^KIND is \(.*\)\.$/\1/p' | tr '|' '\n' ;;
    *ID*) "${call[@]}" queue list 2>/dev/null | awk '{ print $1 }' ;;
    *PROGRAM*) printf '%s\n' git mutt php symfony django cron ;;
    '['* | *[A-Z]*) ;;
    *) printf '%s\n' "$shape" ;;
  esac
}

_mailbearer_options() { # program, verb
  printf '%s\n' --system --user
  "$1" help ${2:+"$2"} 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

_mailbearer() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} profile='' shape
  local -a given=()
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --system | --user) profile=${COMP_WORDS[i]} ;;
      -*) ;;
      *) given+=("${COMP_WORDS[i]}") ;;
    esac
  done
  COMPREPLY=()
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_mailbearer_options "$program" "${given[0]-}")" -- "$word")
    return
  fi
  # A file behind an operator such as <, or a word that names one.
  local words=''
  while read -r shape; do
    [[ $shape == *FILE* ]] && compopt -o default 2>/dev/null
    words+=" $(_mailbearer_words "$program" "$profile" "$shape")"
  done < <(_mailbearer_next "$program" "${given[@]}" | sort -u)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word" | sort -u)
}

complete -F _mailbearer mailbearer
