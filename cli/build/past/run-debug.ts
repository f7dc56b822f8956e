import { type IsolationChoice, TsbuildError, usageError } from '#core'
import { type RecordedStep, readBuilds } from '#record'
import type { Arguments } from '../../arguments/flags.ts'
import { parseSecrets, parseSsh } from '../../arguments/secret-values.ts'
import { openLocalStore } from '../../images/local-store.ts'
import type { Shell } from '../../terminal/shell.ts'
import { chooseSteps, onlyStep } from './choose-steps.ts'
import { openShell } from './open-shell.ts'

/** `tsbuild debug` */
export async function runDebug(args: Arguments, shell: Shell): Promise<number> {
  const { trailing, positionals } = args
  const words = positionals.slice(0, positionals.length - trailing.length).join(' ')
  const env = args.list('env').map(checkedVariable)
  const root = args.text('root')
  const isolation = args.text('isolation')
  const { build, step } = await chosenStep(words, args, shell)
  return await openShell(
    {
      ...{ build, step, env, before: args.has('before') },
      ...(trailing.length === 0 ? {} : { args: trailing }),
      ...(root === undefined ? {} : { root }),
      ...(isolation === undefined ? {} : { isolation: isolation as IsolationChoice }),
      secrets: parseSecrets(args.list('secret'), shell.env),
      ssh: parseSsh(args.list('ssh'), shell.env),
    },
    shell,
  )
}

/** The ids of the build and the step that `BUILD/STEP` means. */
async function chosenStep(
  text: string,
  args: Arguments,
  shell: Shell,
): Promise<{ readonly build: string; readonly step: string }> {
  const slash = text.indexOf('/')
  const build = slash < 0 ? text : text.slice(0, slash)
  const step = slash < 0 ? '' : text.slice(slash + 1)
  await using store = openLocalStore(args, shell)
  const isWanted = ({ end, sandbox }: RecordedStep): boolean =>
    end === 'failed' && sandbox !== undefined
  const builds = readBuilds(store.builds)
  const chosen = chooseSteps(builds, { build, step, isWanted })
  if (step === '' && chosen.steps.length === 0) {
    throw new TsbuildError(`no step of the build ${chosen.build.id} has failed`, {
      code: 'NOT_FOUND',
      hint: `name one: ${chosen.build.steps.map(({ id, name }) => `${id} (${name})`).join(', ')}`,
    })
  }
  return { build: chosen.build.id, step: onlyStep(chosen).id }
}

function checkedVariable(text: string): string {
  if (/^[^=]+=/.test(text)) return text
  throw usageError(`--env ${JSON.stringify(text)} sets no variable`, 'write --env NAME=VALUE')
}
