import { mkdirSync } from 'node:fs'
import {
  type ContainerOptions,
  hasImage,
  pullImages,
  type RunOptions,
  runContainer,
} from '#builder'
import { type BuildEvent, TsbuildError, usageError } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import { parseStepFlags } from '../../arguments/step-values.ts'
import { reportError } from '../../reports/error-report.ts'
import { isInteractive, serveTerminal, sizeOf } from '../../terminal/raw-terminal.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { cleanLine } from '../../terminal/text.ts'
import { withProgress } from '../../transfer/with-progress.ts'
import { servePipes } from '../past/serve-pipes.ts'
import { parseContainer, parseCpus } from './container-arguments.ts'

/** `tsbuild run` */
export async function runContainerOf(args: Arguments, shell: Shell): Promise<number> {
  try {
    return await run(args, shell)
  } catch (error) {
    reportError(error, shell)
    return exitCodeOf(error)
  }
}

async function run(args: Arguments, shell: Shell): Promise<number> {
  const container = parseContainer(args, shell)
  const hasTerminal = args.has('tty')
  if (hasTerminal && !isInteractive(shell)) {
    throw usageError('the input device is not a TTY', 'leave out -t where no person types')
  }
  await provideImage(container, args, shell)
  makeFolders(container)
  const serve = hasTerminal ? serveTerminal : servePipes
  const { exitCode } = await runContainer(
    { ...container, ...(hasTerminal ? { terminal: sizeOf(shell) } : {}) },
    runOptions(args, shell),
    (process) => serve(process, shell),
  )
  return exitCode
}

function runOptions(args: Arguments, shell: Shell): RunOptions {
  const root = args.text('root')
  const steps = parseStepFlags(args)
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'warning') note(shell, `WARNING: ${cleanLine(event.message)}`)
  }
  return {
    ...steps,
    ...(root === undefined ? {} : { root }),
    resources: { ...steps.resources, ...parseCpus(args.text('cpus')) },
    ...{ onEvent, signal: shell.signal },
  }
}

/** Sees to it that the store has the image. */
async function provideImage(
  { image, platform }: Pick<ContainerOptions, 'image' | 'platform'>,
  args: Arguments,
  shell: Shell,
): Promise<void> {
  const pull = pullOf(args.text('pull'))
  if (pull !== 'always' && (await hasImage(image, args.text('root')))) return
  if (pull === 'never') {
    throw new TsbuildError(`no such image: ${image}`, {
      code: 'NOT_FOUND',
      hint: 'build it with this name (tsbuild -t), or leave out --pull=never',
    })
  }
  await withProgress(args, shell, (options) => pullImages({ ...options, name: image, platform }))
}

const PULLS = ['missing', 'always', 'never'] as const

function pullOf(text: string = PULLS[0]): (typeof PULLS)[number] {
  const found = PULLS.find((one) => one === text)
  if (found !== undefined) return found
  throw usageError(`invalid --pull ${JSON.stringify(text)}`, `choose one of ${PULLS.join(', ')}`)
}

/** As docker does for `--volume`. */
function makeFolders({ mounts = [] }: Pick<ContainerOptions, 'mounts'>): void {
  for (const mount of mounts) {
    if (mount.type === 'bind') mkdirSync(mount.source, { recursive: true })
  }
}

/** Those of docker, where no program gives one. */
const CODES = { failed: 125, notExecutable: 126, notFound: 127 } as const

function exitCodeOf(error: unknown): number {
  if (!(error instanceof TsbuildError) || error.code !== 'STEP_FAILED') return CODES.failed
  if (/not found in \$PATH|no such file/.test(error.message)) return CODES.notFound
  return /^exec:? .*(permission denied|format error|not a directory)/.test(error.message)
    ? CODES.notExecutable
    : CODES.failed
}
