import type { Outcome } from '../../../support/peers/index.ts'

/** What runs containers: docker or podman, by the words that both take. */
export interface Engine extends AsyncDisposable {
  readonly name: string
  /** What every container needs here beside what makes its kind. */
  readonly options: readonly string[]
  /** The environment of its client. */
  readonly env: Readonly<Record<string, string>>
  /** What makes a container privileged. */
  readonly privileged: readonly string[]
  /** Runs the client to its end; a failure is an outcome. */
  call(args: readonly string[]): Promise<Outcome>
}

/** Like `call`; throws with what the client said unless it succeeds. Gives its standard output. */
export async function must(engine: Engine, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await engine.call(args)
  if (status !== 0) throw new Error(`${engine.name} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}
