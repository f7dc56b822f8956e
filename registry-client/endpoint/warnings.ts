import type { Middleware } from '#http'

const MAX_WARNING = 4096
const MOST_WARNINGS = 50

/** Reports the `Warning` headers of answers, each text once, and a bounded number. Spec: distribution-spec v1.1 #warnings */
export function reportingWarnings(report: (text: string) => void): Middleware {
  const seen = new Set<string>()
  return (next) => async (request) => {
    const response = await next(request)
    const header = response.headers.warning?.slice(0, MAX_WARNING) ?? ''
    for (const [, quoted = ''] of header.matchAll(/\b299 - "((?:[^"\\]|\\.)*)"/g)) {
      const text = quoted.replace(/\\(.)/g, '$1')
      if (seen.has(text) || seen.size >= MOST_WARNINGS) continue
      seen.add(text)
      report(text)
    }
    return response
  }
}
