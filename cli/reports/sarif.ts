import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildCheck } from '#builder'
import { chainMessage } from '#buildkit/reports'
import { type CheckRule, RULES, SourceError, type SourceRange } from '#parser'

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'
/** Stands for whatever keeps the Dockerfile from being built. */
const BUILD_ERROR = 'BuildError'

/**
 * What the checks have found, as CI systems take it. A reason why it cannot be built is a result, too.
 * Spec: SARIF 2.1.0
 */
export function checkSarif(check: BuildCheck, version: string): string {
  const { warnings, error } = check
  const names = [...new Set(warnings.map(({ rule }) => rule))]
  const rules = names.flatMap((name) => RULES.get(name) ?? [])
  const artifactLocation = artifactOf(check)
  const place = (range: SourceRange): object => ({
    physicalLocation: { artifactLocation, region: regionOf(range) },
  })
  const results = warnings.map(({ rule, message, range }) => ({
    ruleId: rule,
    ruleIndex: names.indexOf(rule),
    level: 'warning',
    message: { text: message },
    locations: [place(range)],
  }))
  const ranges = error instanceof SourceError ? error.ranges.slice(0, 1) : []
  const failure = error && {
    ruleId: BUILD_ERROR,
    ruleIndex: names.length,
    level: 'error',
    message: { text: chainMessage(error) },
    locations:
      ranges.length === 0 ? [{ physicalLocation: { artifactLocation } }] : ranges.map(place),
  }
  const run = {
    tool: { driver: driverOf(rules, version, error !== undefined) },
    artifacts: [{ location: artifactLocation, sourceLanguage: 'dockerfile' }],
    columnKind: 'utf16CodeUnits',
    results: failure === undefined ? results : [...results, failure],
  }
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, undefined, 2)}\n`
}

function driverOf(rules: readonly CheckRule[], version: string, hasError: boolean): object {
  const described = rules.map(({ name, description, url }) => ({
    id: name,
    name,
    shortDescription: { text: description },
    helpUri: url,
    defaultConfiguration: { level: 'warning' },
  }))
  const failure = {
    id: BUILD_ERROR,
    name: BUILD_ERROR,
    shortDescription: { text: 'The Dockerfile can be built' },
    defaultConfiguration: { level: 'error' },
  }
  return { name: 'tsbuild', version, rules: hasError ? [...described, failure] : described }
}

/** What is below the current directory belongs to the repository; else only this machine knows it. */
function artifactOf({ path, source }: BuildCheck): object {
  const shown = path === undefined ? source.filename : relative(process.cwd(), path)
  if (path !== undefined && /^\.\.(\/|$)/.test(shown)) return { uri: pathToFileURL(path).href }
  const uri = shown.split('/').map(encodeURIComponent).join('/')
  return { uri, uriBaseId: '%SRCROOT%' }
}

function regionOf({ start, end }: SourceRange): object {
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    endColumn: end.column,
  }
}
