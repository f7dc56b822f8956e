/**
 * Identifiers of SPDX that packages usually declare. An expression may have no others, and a list of all
 * 600 would have to follow that of SPDX: what is not here is said in words.
 */
const KNOWN: ReadonlySet<string> = new Set([
  ...['0BSD', 'AFL-2.1', 'AGPL-3.0-only', 'AGPL-3.0-or-later', 'Apache-1.1', 'Apache-2.0'],
  ...['Artistic-1.0-Perl', 'Artistic-2.0', 'BlueOak-1.0.0', 'BSD-1-Clause', 'BSD-2-Clause'],
  ...['BSD-3-Clause', 'BSD-4-Clause', 'BSL-1.0', 'bzip2-1.0.6', 'CC-BY-3.0', 'CC-BY-4.0'],
  ...['CC0-1.0', 'CDDL-1.0', 'CDDL-1.1', 'curl', 'EPL-1.0', 'EPL-2.0', 'EUPL-1.2', 'FTL'],
  ...['GFDL-1.3-or-later', 'GPL-1.0-or-later', 'GPL-2.0-only', 'GPL-2.0-or-later'],
  ...['GPL-3.0-only', 'GPL-3.0-or-later', 'ICU', 'IJG', 'ISC', 'LGPL-2.0-only'],
  ...['LGPL-2.0-or-later', 'LGPL-2.1-only', 'LGPL-2.1-or-later', 'LGPL-3.0-only'],
  ...['LGPL-3.0-or-later', 'Libpng', 'MIT', 'MIT-0', 'MPL-1.1', 'MPL-2.0', 'NCSA'],
  ...['OFL-1.1', 'OLDAP-2.8', 'OpenSSL', 'PostgreSQL', 'PSF-2.0', 'Python-2.0', 'Ruby'],
  ...['Sleepycat', 'TCL', 'Unlicense', 'Vim', 'W3C', 'WTFPL', 'X11', 'Zlib', 'ZPL-2.1'],
])

/**
 * A declared license as an expression of SPDX; `undefined` where it is none, or names a license that is
 * not known here. Spec: SPDX 2.3, annex D
 */
export function licenseExpression(declared: string | undefined): string | undefined {
  if (declared === undefined) return undefined
  const words = declared.replace(/^\((.*)\)$/, '$1').split(/\s+/)
  const isSound =
    words.length % 2 === 1 &&
    words.every((word, index) => (index % 2 === 0 ? KNOWN.has(word) : /^(?:AND|OR)$/.test(word)))
  return isSound ? declared : undefined
}
