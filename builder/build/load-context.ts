import { type OpenedContext, openContext } from '#builder/context'
import type { Settings } from '#builder/options'
import type { StepSecrets } from '#builder/solve'
import { openStore } from '#cache'
import { reportWaits } from './reported-waits.ts'
import { openSecrets } from './step-secrets.ts'

/**
 * Opens the context of a build and its Dockerfile; see `openContext`.
 * @param secrets those of the build, if it has opened them: a pipe can be read only once
 */
export function loadContext(
  settings: Settings,
  secrets?: StepSecrets,
): Promise<OpenedContext & AsyncDisposable> {
  return openContext(settings, {
    openStore: () => openStore(settings.root, { onWait: reportWaits(settings.onEvent, 'context') }),
    openSecrets: async () => secrets ?? (await openSecrets(settings)),
  })
}
