import {
  type AddInstruction,
  type ArgInstruction,
  type Dockerfile,
  declareArg,
  type GlobalScope,
  SourceError,
  type Stage,
  type StageScope,
  stageScope,
} from '#parser'
import { type RemoteSource, remoteSource } from './steps/copy-sources.ts'
import { checkDefault, expandWith } from './variables/expand.ts'

const NAME = 'SOURCE_DATE_EPOCH'

/**
 * The source of the stage that SOURCE_DATE_EPOCH names: one file or repository, so that its time is
 * known before the build. `undefined` when no stage has the name.
 * @throws {SourceError} DOCKERFILE_INVALID for a stage that does more
 */
export function sourceDateEpochSource(
  name: string,
  { stages, escape: mark }: Dockerfile,
  globals: GlobalScope,
): RemoteSource | undefined {
  const stage = stages.find((one) => one.name === name.toLowerCase())
  if (stage === undefined) return undefined
  // Unlike other stages, this one sees the global arguments without declaring them.
  const values = new Map(globals.values)
  values.delete(NAME)
  let scope = stageScope(values, { escape: mark, isComplete: true })
  if (expandWith(stage.from.image, scope) !== 'scratch') {
    throw stageError('must use FROM scratch', stage)
  }
  let found: RemoteSource | undefined
  for (const instruction of stage.instructions) {
    if (instruction.kind === 'arg') {
      const { buildArgs } = globals
      scope = declareArgs(scope, instruction, { values, buildArgs })
    } else if (instruction.kind !== 'add') {
      const what = `unsupported ${instruction.kind.toUpperCase()} instruction`
      throw stageError(`does not meet source-only requirements: ${what}`, stage)
    } else {
      if (found !== undefined) throw stageError('must contain exactly one remote ADD', stage)
      found = sourceOf(instruction, scope, stage)
    }
  }
  if (found === undefined) throw stageError('must contain exactly one remote ADD', stage)
  return found
}

function declareArgs(
  start: StageScope,
  instruction: ArgInstruction,
  globals: GlobalScope,
): StageScope {
  return instruction.args.reduce((before, declaration) => {
    const { declared, scope } = declareArg(before, declaration, { instruction, globals })
    checkDefault(declared)
    return scope
  }, start)
}

function sourceOf(instruction: AddInstruction, scope: StageScope, stage: Stage): RemoteSource {
  const [word, ...others] = instruction.sources
  if (word === undefined || others.length > 0 || instruction.inline.length > 0) {
    throw stageError('must contain exactly one remote ADD source', stage)
  }
  const flag = instruction.checksum
  const checksum = flag === undefined ? undefined : expandWith(flag, scope) || undefined
  const written = { path: expandWith(word, scope), word, checksum }
  const source = remoteSource(instruction, written)
  if (source === undefined) throw stageError('source must be a single HTTP(S) or Git ADD', stage)
  return source
}

function stageError(message: string, { from }: Stage): SourceError {
  return new SourceError(`${NAME} stage ${message}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [from.range],
    hint: 'a stage that gives the build its time has FROM scratch, ARG and one ADD of a URL or a repository',
  })
}
