import type { BuildCheck } from '#builder'
import { SourceError } from '#parser'
import { chainMessage } from './error-chain.ts'
import { sourceLocation } from './source-location.ts'

/** What the checks have found, in BuildKit's form. Spec: BuildKit, frontend/subrequests/lint */
export function checkJson({ warnings, source, error }: BuildCheck): string {
  const document = {
    warnings: warnings.map(({ rule, description, url, message, range }) => ({
      ruleName: rule,
      description,
      url,
      detail: message,
      location: sourceLocation([range]),
    })),
    sources: [
      {
        filename: source.filename,
        language: 'Dockerfile',
        data: Buffer.from(source.text).toString('base64'),
      },
    ],
    buildError: error && {
      message: chainMessage(error),
      location: sourceLocation(error instanceof SourceError ? error.ranges : []),
    },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
