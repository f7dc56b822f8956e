import type { BuildExplanation } from '#builder/explain'
import { TsbuildError } from '#core'
import type { ExplainRequest } from '../arguments/build-arguments.ts'
import { writeResultFile } from '../io/result-files.ts'
import type { ProgressMode } from '../progress/progress.ts'
import type { Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'
import { explanationText } from './explanation-text.ts'

/** Why the steps of a build ran, once that is known. */
export interface ExplanationReport {
  readonly onExplanation: (explanation: BuildExplanation) => void
  /** Prints it: as text, or a line of JSON for `rawjson`. Nothing for a build that did not get to its steps. */
  print(mode: ProgressMode): void
  /** Writes the file. @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED, NO_SPACE */
  write(): void
  /** Does so after a failure, of which another one must not take the place. */
  writeAnyway(): void
}

/** Takes the explanation of a build. */
export function openExplanation(
  { isPrinted, file }: ExplainRequest,
  { stderr }: Pick<Shell, 'stderr'>,
): ExplanationReport {
  let explanation: BuildExplanation | undefined
  const write = (): void => {
    if (file === undefined || explanation === undefined) return
    writeResultFile(file, explanationJson(explanation))
  }
  return {
    onExplanation: (found) => {
      explanation = found
    },
    print: (mode) => {
      if (!isPrinted || explanation === undefined) return
      const line = { tsbuild: { type: 'explanation', explanation } }
      const text = `\n${explanationText(explanation)}`
      stderr.write(mode === 'rawjson' ? `${JSON.stringify(line)}\n` : text)
    },
    write,
    writeAnyway: () => {
      try {
        write()
      } catch (cause) {
        if (!(cause instanceof TsbuildError)) throw cause
        stderr.write(`WARNING: ${cleanLine(cause.message)}\n`)
      }
    },
  }
}

/** The document of `--explain-file` and `tsbuild cache why --format json`. */
export function explanationJson(explanation: BuildExplanation): string {
  return `${JSON.stringify(explanation, undefined, 2)}\n`
}
