import type { Flag } from '../arguments/flags.ts'

/** What completion needs of a command. */
export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly flags: readonly Flag[]
  /** Of a group. */
  readonly subcommands?: readonly CompletedCommand[]
}

/** The script that bash sources to complete command lines, and zsh after `bashcompinit`. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name)
  const inGroups = commands.flatMap(ofGroup)
  const all = [...commands, ...inGroups]
  return `_tsbuild_words() {
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}
_tsbuild_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -f -- "$cur")
}
_tsbuild() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at=$((COMP_CWORD - 1)) command=build
  # Bash splits --flag=value into three words.
  if [[ "$cur" == = ]]; then cur=; elif [[ "\${COMP_WORDS[at]}" == = ]]; then at=$((at - 1)); fi
  case "\${COMP_WORDS[1]}" in ${names.join('|')}) command="\${COMP_WORDS[1]}" ;; esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
    ${inGroups.map(({ name }) => `'${name}'`).join('|') || "''"}) command="\${COMP_WORDS[1]} \${COMP_WORDS[2]}" ;;
  esac
  COMPREPLY=()
  case "$command \${COMP_WORDS[at]}" in
${all.flatMap(valueCases).join('')}  esac
  case "$command $cur" in
${all.map(flagsCase).join('')}  esac
  if [[ $COMP_CWORD == 1 ]]; then _tsbuild_words '${names.join(' ')}'; fi
  if [[ $COMP_CWORD == 2 ]]; then
    case "\${COMP_WORDS[1]}" in
${commands.map(groupCase).join('')}    esac
  fi
  _tsbuild_paths
}
complete -F _tsbuild tsbuild
`
}

/** The commands of a group by both of their words. */
function ofGroup({ name, subcommands = [] }: CompletedCommand): readonly CompletedCommand[] {
  return subcommands.map((one) => ({ ...one, name: `${name} ${one.name}` }))
}

function groupCase({ name, subcommands = [] }: CompletedCommand): string {
  if (subcommands.length === 0) return ''
  const names = subcommands.map((one) => one.name).join(' ')
  return `      ${name}) _tsbuild_words '${names}'; return ;;\n`
}

function shown({ flags }: CompletedCommand): readonly Flag[] {
  return flags.filter(({ isHidden }) => isHidden !== true)
}

function spellings({ name, short }: Flag): readonly string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
}

/** What is completed behind each flag with a value. */
function valueCases(command: CompletedCommand): readonly string[] {
  const valued = shown(command).filter(({ metavar }) => metavar !== undefined)
  return valued.map((flag) => {
    const { values = [] } = flag
    const action = values === 'paths' ? '_tsbuild_paths' : `_tsbuild_words '${values.join(' ')}'`
    const patterns = spellings(flag).map((spelling) => `"${command.name} ${spelling}"`)
    return `    ${patterns.join('|')}) ${action}; return ;;\n`
  })
}

function flagsCase(command: CompletedCommand): string {
  const words = shown(command).flatMap(spellings).join(' ')
  return `    "${command.name} -"*) _tsbuild_words '${words}'; return ;;\n`
}
