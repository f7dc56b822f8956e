import { type RebuildInput, type VerifiedImage, verifyImage } from '#builder'
import { usageError } from '#core'
import { labels, network, optional, parseInput } from '../arguments/build-arguments.ts'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { parseSecrets, parseSsh } from '../arguments/secret-values.ts'
import { parseAnnotations } from '../arguments/sign-values.ts'
import { parseStepFlags } from '../arguments/step-values.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { formatCount } from '../terminal/text.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild verify` */
export async function runVerify(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild verify [flags] NAME[:TAG|@DIGEST]'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const format = formatOf(args, ['text', 'json'])
  const annotations = parseAnnotations(args.list('annotation'))
  const input = parseRebuild(args, shell)
  const key = args.text('key')
  const verified = await withProgress(args, shell, ({ root, ...options }) => {
    const common = { ...options, ...optional('root', root) }
    const rebuild = input === undefined ? undefined : { ...input, ...common }
    return verifyImage({ ...common, name, key, annotations, rebuild })
  })
  const problems = problemsOf(verified)
  const text =
    format === 'json'
      ? `${JSON.stringify(documentOf(verified, problems), undefined, 2)}\n`
      : `${[...factsOf(verified), ...problems.map((one) => line('problem', one))].join('')}`
  await print(shell, text)
  return problems.length === 0 ? 0 : 1
}

/** What the image is built again of. @throws {TsbuildError} USAGE */
function parseRebuild(
  args: Arguments,
  { env }: Pick<Shell, 'env'>,
): Omit<RebuildInput, 'root' | 'onEvent' | 'signal'> | undefined {
  const context = args.text('rebuild')
  if (context === undefined) return undefined
  if (context === '' || context === '-') {
    throw usageError('--rebuild takes a folder, a repository or a URL', 'name the context again')
  }
  return {
    context,
    ...parseInput(args, env),
    labels: labels(args.list('label')),
    secrets: parseSecrets(args.list('secret'), env),
    ssh: parseSsh(args.list('ssh'), env),
    ...optional('network', network(args.text('network'))),
    ...parseStepFlags(args),
  }
}

function problemsOf({ signatures, provenance, rebuilt }: VerifiedImage): readonly string[] {
  const wasChecked =
    signatures !== undefined || rebuilt !== undefined || provenance.found.length > 0
  const problems = [
    ...(signatures?.problems ?? []),
    ...provenance.problems,
    ...(rebuilt?.differences ?? []),
  ]
  if (wasChecked || problems.length > 0) return problems
  return ['nothing could be checked: it has no provenance; give --key FILE or --rebuild CONTEXT']
}

function factsOf({ name, root, ...checks }: VerifiedImage): readonly string[] {
  const { signatures, provenance, rebuilt } = checks
  return [
    line('name', name),
    line('digest', root.digest),
    line('signature', signatures === undefined ? 'not checked' : signatureText(signatures)),
    ...(provenance.found.length === 0 ? [line('provenance', 'none')] : []),
    ...provenance.found.map(({ image, predicateType, builder, materials }) => {
      const by = builder === '' ? '' : ` by ${builder}`
      const made = formatCount(materials.length, 'material')
      return line('provenance', `${predicateType}${by}, ${made}, of ${image}`)
    }),
    ...(rebuilt === undefined ? [] : [line('rebuilt', rebuiltText(rebuilt))]),
  ]
}

function line(title: string, text: string): string {
  return `${title.padEnd(11)} ${text}\n`
}

function signatureText({ good, others }: NonNullable<VerifiedImage['signatures']>): string {
  const text = good.length === 0 ? 'none' : `good: ${good.length} by this key`
  return others === 0 ? text : `${text}, ${others} others`
}

function rebuiltText({ platform, expected, built }: NonNullable<VerifiedImage['rebuilt']>): string {
  return expected === built
    ? `${platform}: the same, bit for bit`
    : `${platform}: ${built} instead of ${expected}`
}

function documentOf(
  { name, root, signatures, provenance, rebuilt }: VerifiedImage,
  problems: readonly string[],
): object {
  const good = signatures?.good.map(({ form, repository, annotations }) => {
    return { form, repository, annotations }
  })
  return {
    name,
    digest: root.digest,
    isVerified: problems.length === 0,
    signatures: good && { good, others: signatures?.others },
    provenance: provenance.found,
    rebuilt: rebuilt && { ...rebuilt, differences: undefined },
    problems,
  }
}
