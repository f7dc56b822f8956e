/**
 * Why a build failed, as its plain progress tells: the last line of the step whose process failed, else
 * the error with its hint. `undefined` for one that succeeded.
 */
export function failureOf(stderr: string): string | undefined {
  const error = /^ERROR: (.*)/ms.exec(stderr)?.[1]?.trimEnd()
  if (error === undefined || !/did not complete successfully: exit code/.test(error)) return error
  const [, block = ''] = /^-{6}\n > [^\n]*\n(.*?)^-{6}$/ms.exec(stderr) ?? []
  const said = block.trimEnd().split('\n').at(-1) ?? ''
  return said === '' ? error : said.replace(/^\d+\.\d+ /, '')
}

/** The warnings at the end of a build, but those on control groups, which the machine decides on. */
export function warningsOf(stderr: string): string[] {
  const [, list = ''] = /^ \d+ warnings? found.*:\n((?: - .*\n)*)/m.exec(stderr) ?? []
  return list
    .split('\n')
    .filter((line) => line.startsWith(' - ') && !line.includes('limit a step: control groups'))
    .map((line) => line.slice(3))
}
