/** Another process beside a step in place. It blocks the calling thread. */
import { closeSync, openSync } from 'node:fs'
import { O_PATH, type ProcessEnd } from '#builder/linux'
import { openWorkingDirectory } from '../root/assemble.ts'
import { imageFileReader, resolveUser } from '../root/step-user.ts'
import type { ExecSpec } from '../spec/process-spec.ts'
import { type ProgramInput, runProgram, type StartedProgram } from './program-run.ts'

/** What is run beside a step. */
export interface InPlaceExecInput
  extends Pick<ProgramInput, 'ulimits' | 'security' | 'stdin' | 'terminal'> {
  readonly spec: ExecSpec
  /** Descriptor of the step's network, which is closed; absent: the container's. */
  readonly network: number | undefined
}

/**
 * Runs it to its end.
 * @param post gets the process once it runs, with descriptors that belong to the receiver
 */
export function runExecInPlace(
  { spec, network, ...input }: InPlaceExecInput,
  post: (started: StartedProgram) => void,
): ProcessEnd {
  const held = network === undefined ? [] : [network]
  try {
    const root = openSync('/', O_PATH)
    held.push(root)
    const user = resolveUser(spec.user, imageFileReader(root))
    const { descriptor, names } = openWorkingDirectory(root, spec.cwd, {})
    held.push(descriptor)
    const cwd = { descriptor, path: `/${names.join('/')}` }
    return runProgram({ ...spec, ...input }, { root, user, network, cwd, secrets: [] }, post)
  } finally {
    for (const one of held) closeSync(one)
  }
}
