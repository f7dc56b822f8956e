import type { Flag } from '../arguments/flags.ts'

/** What completion needs of a command. */
export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly flags: readonly Flag[]
}

/** The script that bash sources to complete command lines, and zsh after `bashcompinit`. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name)
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
  COMPREPLY=()
  case "$command \${COMP_WORDS[at]}" in
${commands.flatMap(valueCases).join('')}  esac
  case "$command $cur" in
${commands.map(flagsCase).join('')}  esac
  if [[ $COMP_CWORD == 1 ]]; then _tsbuild_words '${names.join(' ')}'; fi
  _tsbuild_paths
}
complete -F _tsbuild tsbuild
`
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
