import { instructionGraph } from '#builder'
import { suggestion, usageError } from '#core'
import { type GraphFormat, renderGraph } from '#graph-view'
import { parseInput } from '../arguments/build-arguments.ts'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { readDockerfileStdin } from '../io/dockerfile-input.ts'
import { print, type Shell } from '../terminal/shell.ts'

const FORMATS: readonly GraphFormat[] = ['text', 'json', 'dot', 'svg', 'mermaid']

/** `tsbuild graph` */
export async function runGraph(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild graph [flags] [CONTEXT]'
  const [context = '.'] = expectArguments(args, { least: 0, most: 1, usage })
  const format = graphFormat(args.text('format') ?? 'text')
  const input = parseInput(args, shell.env)
  const dockerfile =
    args.text('file') === '-' ? (await readDockerfileStdin(shell)).toString() : undefined
  const graph = await instructionGraph({
    context,
    ...input,
    ...(dockerfile === undefined ? {} : { dockerfile }),
  })
  await print(shell, renderGraph(graph, format))
  return 0
}

function graphFormat(text: string): GraphFormat {
  const found = FORMATS.find((format) => format === text)
  if (found !== undefined) return found
  const similar = suggestion(text, FORMATS)
  const hint =
    similar === undefined ? `choose one of ${FORMATS.join(', ')}` : `did you mean ${similar}?`
  throw usageError(`unknown format "${text}"`, hint)
}
