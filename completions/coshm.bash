# SPDX-License-Identifier: Apache-2.0
# coshm.bash - completion of coshm for bash.
#
# Commands, options and columns are what the help texts of the program name;
# channels and containers are those that there are now.
# shellcheck disable=SC2207 # no word has a space in it

_coshm_help() {
	command "$_coshm_program" help "$@" 2>/dev/null
}

_coshm_commands() {
	_coshm_help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

# _coshm_options COMMAND
_coshm_options() {
	_coshm_help "$1" | sed -nE 's/^ *(-.*)/\1/; T; s/  .*//; p' |
		grep -oE '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,'
}

# _coshm_argument COMMAND OPTION: what it takes, in the word of the help; nothing if none
_coshm_argument() {
	_coshm_help "$1" | sed -nE "s/^ *(-[a-zA-Z], )?(.*, )?$2(, --[a-z-]+)? ([A-Z=]+) .*/\\4/p"
}

# _coshm_columns COMMAND: the names in the paragraph of --output, and "those of coshm COMMAND"
_coshm_columns() {
	local text other

	text=$(_coshm_help "$1" |
		sed -nE '/--output COLUMNS/,/^ *-[^o]/{s/-.*COLUMNS //;s/^ *-[^o].*//;p;}')
	grep -oE '\b[A-Z_]{2,}\b' <<<"$text" | grep -v COLUMNS
	other=$(sed -nE 's/.*those of coshm ([a-z]+).*/\1/p' <<<"$text")
	[[ ! $other ]] || _coshm_columns "$other"
}

# _coshm_channels DIR: files with names of channels
_coshm_channels() {
	local file

	for file in "$1"/*; do
		[[ ! -f $file ]] || printf '%s\n' "${file##*/}"
	done
}

_coshm_containers() {
	command "$_coshm_program" ls --json 2>/dev/null |
		sed -n 's/^ *"container": "\(.*\)",\{0,1\}$/\1/p'
}

# _coshm_operands COMMAND DIR WORD: what the first line of its help asks for
_coshm_operands() {
	local line

	read -r line < <(_coshm_help "$1")
	[[ $line != *DIR* ]] || compgen -d -- "$3"
	[[ $line != *CHANNEL* ]] || _coshm_channels "$2"
	[[ $line != *CONTAINER* ]] || _coshm_containers
	[[ $line != *PROGRAM* ]] || compgen -cf -- "$3"
}

# _coshm_dir WORDS...: where channels are
_coshm_dir() {
	local dir=${COSHM_DIR:-/dev/shm/coshm}

	while (($#)); do
		case $1 in
		-d | --dir) dir=${2-} ;;
		esac
		shift
	done
	printf '%s' "$dir"
}

# _coshm_value COMMAND ARGUMENT WORD: of an option
_coshm_value() {
	local listed=''

	# No option of compopt may be set outside a completion, as a test is.
	case $2 in
	COLUMNS)
		[[ $3 != *,* ]] || listed=${3%,*},
		[[ $listed || $3 != +* ]] || listed=+
		COMPREPLY=($(compgen -P "$listed" -W "$(_coshm_columns "$1")" -- "${3#"$listed"}"))
		compopt -o nospace 2>/dev/null
		;;
	COLUMN=VALUE)
		COMPREPLY=($(compgen -S = -W "$(_coshm_columns "$1")" -- "$3"))
		compopt -o nospace 2>/dev/null
		;;
	DIR)
		COMPREPLY=($(compgen -d -- "$3"))
		compopt -o filenames 2>/dev/null
		;;
	esac
}

_coshm() {
	local _coshm_program=${COMP_WORDS[0]} command=${COMP_WORDS[1]-} word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} argument=''

	# --option=value comes as three words
	[[ $word != = ]] || word=''
	[[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
		COMPREPLY=($(compgen -W "$(_coshm_commands) help --help --version" -- "$word"))
		return
	fi
	[[ $before != -* ]] || argument=$(_coshm_argument "$command" "$before")
	if [[ $argument ]]; then
		_coshm_value "$command" "$argument" "$word"
	elif [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_coshm_options "$command")" -- "$word"))
	else
		COMPREPLY=($(compgen -W \
			"$(_coshm_operands "$command" "$(_coshm_dir "${COMP_WORDS[@]}")" "$word")" -- "$word"))
	fi
}

complete -F _coshm coshm
