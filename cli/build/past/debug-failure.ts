import type { BuildOptions } from '#builder'
import type { VertexKept } from '#core'
import { reportError } from '../../reports/error-report.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { openShell } from './open-shell.ts'

/** Says why a build has failed, and opens a shell where it has, with the secrets of the build. */
export async function debugFailure(
  error: unknown,
  { options, kept }: { readonly options: BuildOptions; readonly kept: VertexKept },
  shell: Shell,
): Promise<void> {
  reportError(error, shell)
  note(shell, 'a shell where the step has failed; what it changes is dropped:')
  const { root, isolation, snapshotter, secrets = {}, ssh = {} } = options
  const { build, step } = kept
  await openShell(
    {
      ...{ build, step, secrets, ssh },
      ...(root === undefined ? {} : { root }),
      ...(isolation === undefined ? {} : { isolation }),
      ...(snapshotter === undefined ? {} : { snapshotter }),
    },
    shell,
  )
}
