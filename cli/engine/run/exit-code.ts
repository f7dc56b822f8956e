import { EngineError } from '#engine/client'

/** Those of docker, where no program gives one. */
const CODES = { failed: 125, notExecutable: 126, notFound: 127 } as const

/** The exit code for a container that could not be run. */
export function failureCode(error: unknown): number {
  if (!(error instanceof EngineError)) return CODES.failed
  const { message } = error
  if (/executable file not found|no such file or directory/i.test(message)) return CODES.notFound
  return /permission denied|is a directory|exec format error/i.test(message)
    ? CODES.notExecutable
    : CODES.failed
}
