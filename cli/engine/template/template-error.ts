import type { TsbuildError } from '#core'
import { usageError } from '#core'

/** What every error of a template says of its form. */
export const TEMPLATE_HINT =
  'it may have {{.Field}}, {{json .Field}}, {{join .List ","}}, {{index .List 0}}, {{len .List}}, {{range .List}}…{{end}}, {{if .Field}}…{{else}}…{{end}}, and the rest of Go templates'

/** The error for a template that cannot be read, or means nothing for these data. */
export function templateError(what: string): TsbuildError {
  return usageError(`invalid format: ${what}`, TEMPLATE_HINT)
}
