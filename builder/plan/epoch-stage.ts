import {
  type AddInstruction,
  type ArgInstruction,
  type Dockerfile,
  SourceError,
  type Stage,
} from '#parser'
import { type RemoteSource, remoteSource } from './steps/copy-sources.ts'
import { expandWith } from './variables/expand.ts'
import type { GlobalScope } from './variables/scope.ts'

const EPOCH = 'SOURCE_DATE_EPOCH'

/**
 * What a stage fetches that SOURCE_DATE_EPOCH names: nothing but one file or repository, so that its
 * time is known before anything is built. `undefined` when no stage has the name.
 * @throws {SourceError} DOCKERFILE_INVALID for a stage that does more
 */
export function epochStageSource(
  name: string,
  { stages, escape: mark }: Dockerfile,
  globals: GlobalScope,
): RemoteSource | undefined {
  const stage = stages.find((one) => one.name === name.toLowerCase())
  if (stage === undefined) return undefined
  const variables = new Map(globals.values)
  variables.delete(EPOCH)
  if (expandWith(stage.from.image, variables, mark) !== 'scratch') {
    throw wrong('must use FROM scratch', stage)
  }
  let found: RemoteSource | undefined
  for (const instruction of stage.instructions) {
    if (instruction.kind === 'arg') declare(instruction, variables, { globals, mark })
    else if (instruction.kind !== 'add') {
      const what = `unsupported ${instruction.kind.toUpperCase()} instruction`
      throw wrong(`does not meet source-only requirements: ${what}`, stage)
    } else {
      if (found !== undefined) throw wrong('must contain exactly one remote ADD', stage)
      found = sourceOf(instruction, variables, { stage, mark })
    }
  }
  if (found === undefined) throw wrong('must contain exactly one remote ADD', stage)
  return found
}

function declare(
  { args }: ArgInstruction,
  variables: Map<string, string>,
  { globals, mark }: { readonly globals: GlobalScope; readonly mark: Dockerfile['escape'] },
): void {
  for (const { key, value } of args) {
    const given = globals.buildArgs.get(key)
    if (given !== undefined) variables.set(key, given)
    else if (value !== undefined) variables.set(key, expandWith(value, variables, mark))
  }
}

function sourceOf(
  instruction: AddInstruction,
  variables: ReadonlyMap<string, string>,
  { stage, mark }: { readonly stage: Stage; readonly mark: Dockerfile['escape'] },
): RemoteSource {
  const [word, ...others] = instruction.sources
  if (word === undefined || others.length > 0 || instruction.inline.length > 0) {
    throw wrong('must contain exactly one remote ADD source', stage)
  }
  const flag = instruction.checksum
  const checksum = flag === undefined ? undefined : expandWith(flag, variables, mark) || undefined
  const written = { path: expandWith(word, variables, mark), word, checksum }
  const source = remoteSource(instruction, written)
  if (source === undefined) throw wrong('source must be a single HTTP(S) or Git ADD', stage)
  return source
}

function wrong(message: string, { from }: Stage): SourceError {
  return new SourceError(`${EPOCH} stage ${message}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [from.range],
    hint: 'a stage that gives the build its time has FROM scratch, ARG and one ADD of a URL or a repository',
  })
}
