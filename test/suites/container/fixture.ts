import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { ContainerSettings, RunningProcess } from '#builder/sandbox'
import type { ExecSpec, ProcessSpec } from '../../../builder/sandbox/spec/process-spec.ts'
import { type OpenSandbox, SandboxFixture, type StepOverrides } from '../sandbox/fixture.ts'

/** Ends when its input does. */
const WAITING = 'echo ready; cat > /dev/null; true'

/** A sandbox, and containers in it. */
export class ContainerFixture extends SandboxFixture {
  override spec(args: readonly string[], overrides: StepOverrides = {}): ProcessSpec {
    const spec = super.spec(args, { init: false, container: {}, ...overrides })
    const [root, ...others] = spec.mounts
    if (root.type !== 'overlay') throw new Error('the root is an overlay')
    return { ...spec, mounts: [{ ...root, lasting: true }, ...others] }
  }

  /** Starts a container, whose program is pid 1, and waits until it has written something. */
  async start(
    container: ContainerSettings = {},
    overrides: StepOverrides & { readonly script?: string } = {},
  ): Promise<RunningProcess> {
    const { script = WAITING, ...rest } = overrides
    const spec = this.spec(['sh', '-c', script], { container, ...rest })
    const process = await this.sandbox.start(spec, { stdin: 'pipe' })
    await once(process.stdout, 'data')
    return process
  }

  /** What a shell script writes in a container of its own. */
  async output(
    script: string,
    container: ContainerSettings = {},
    overrides: StepOverrides = {},
  ): Promise<string> {
    const result = await this.run(['sh', '-c', script], { container, ...overrides })
    return result.stdout + result.stderr
  }
}

/** Opens one. */
export function openContainers(open: OpenSandbox): ContainerFixture {
  return new ContainerFixture(open)
}

/** What a shell script writes beside a process. */
export async function execIn(
  process: RunningProcess,
  script: string,
  overrides: Partial<ExecSpec> = {},
): Promise<string> {
  const usual = { args: ['sh', '-c', script], env: ['PATH=/bin'], cwd: '/', user: '' }
  await using other = await process.exec({ ...usual, ...overrides })
  const outputs = await Promise.all([text(other.stdout), text(other.stderr)])
  await other.wait()
  return outputs.join('')
}
