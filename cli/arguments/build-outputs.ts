import type { Output } from '#builder'
import { annotate, parseAnnotations, parseEngine, parseOutput } from '#buildkit/values'
import { usageError } from '#core'
import { parseReference } from '#registry-client'
import type { Shell } from '../terminal/shell.ts'
import type { Arguments } from './flags.ts'

/** Where the result goes, and under which names. */
export interface BuildOutputs {
  /** `undefined`: nothing is said of it. */
  readonly outputs: readonly Output[] | undefined
  readonly tags: readonly string[]
  /** Registries that an output calls insecure. */
  readonly insecure: readonly string[]
}

/**
 * What the flags for outputs and names say together.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function parseOutputs(args: Arguments): BuildOutputs {
  const requests = args.list('output').map(parseOutput)
  const written = requests.flatMap((request) => request.outputs)
  const given = withShorthands(written, args)
  const annotations = args.list('annotation').flatMap(parseAnnotations)
  // What goes nowhere on request does not go to the store either.
  const isUnsaid = given.length === 0 && requests.length === 0
  const named = isUnsaid && annotations.length > 0 ? [STORE] : given
  const outputs = named.map((output) => annotate(output, annotations))
  const tags = [...args.list('tag'), ...requests.flatMap((request) => request.names)]
  checkDigestOnly(outputs, tags)
  const isInsecure = requests.some((request) => request.isInsecure === true)
  return {
    outputs: isUnsaid && outputs.length === 0 ? undefined : outputs,
    tags,
    insecure: isInsecure ? registriesOf(tags) : [],
  }
}

/** `--push` adds the store and the registry where `--output` does not name them, `--load` an engine. */
function withShorthands(outputs: readonly Output[], args: Arguments): readonly Output[] {
  const wanted: readonly Output[] = [
    ...(args.has('push') ? ([{ type: 'store' }, { type: 'registry' }] as const) : []),
    ...loads(args),
  ]
  const types = new Set(outputs.map(({ type }) => type))
  return [...outputs, ...wanted.filter(({ type }) => !types.has(type))]
}

const STORE: Output = { type: 'store' }

/** @throws {TsbuildError} USAGE */
function checkDigestOnly(outputs: readonly Output[], tags: readonly string[]): void {
  if (!outputs.some((output) => 'byDigest' in output && output.byDigest)) return
  const tagged = tags.find((tag) => parseReference(tag).tag !== undefined)
  if (tagged === undefined) return
  throw usageError(`can't push tagged ref ${tagged} by digest`, 'give it a name without a tag')
}

function registriesOf(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.map((tag) => parseReference(tag).registry))]
}

function loads(args: Arguments): readonly Output[] {
  const engine = args.text('load-into')
  if (engine !== undefined) return [{ type: 'load', engine: parseEngine(engine, '--load-into') }]
  return args.has('load') ? [{ type: 'load' }] : []
}

/** `dest=-` is standard output. */
export function toStdout(output: Output, { stdout }: Pick<Shell, 'stdout'>): Output {
  return 'dest' in output && output.dest === '-' ? { ...output, dest: stdout } : output
}

/** Whether it goes to standard output. */
export function isPrinted(output: Output): boolean {
  return 'dest' in output && output.dest === '-'
}

/** @throws {TsbuildError} USAGE */
export function checkOutputs(
  outputs: readonly Output[],
  use: {
    readonly shell: Pick<Shell, 'stdout'>
    readonly iidfile: string | undefined
  },
): void {
  const printed = outputs.filter(isPrinted)
  const [first] = printed
  if (outputs.length > 0 && use.iidfile !== undefined) {
    if (outputs.every(({ type }) => type === 'local' || type === 'tar')) {
      throw usageError('local and tar outputs make no image, so there is no id for --iidfile')
    }
  }
  if (first === undefined) return
  if (printed.length > 1) throw usageError('only one output can go to standard output')
  if (first.type === 'local' || ('tar' in first && first.tar === false)) {
    throw usageError('a folder cannot go to standard output', 'name a folder with dest')
  }
  if (use.shell.stdout.isTTY === true) {
    const hint = 'add dest=FILE, or redirect standard output'
    throw usageError(`refusing to write type=${first.type} to the terminal`, hint)
  }
}
