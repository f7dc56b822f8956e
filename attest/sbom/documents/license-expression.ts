import parse from 'spdx-expression-parse'

/**
 * A declared license as an expression of SPDX; `undefined` where it is none. References to licenses that are
 * written elsewhere say nothing in another document. Spec: SPDX 2.3, annex D
 */
export function licenseExpression(declared: string | undefined): string | undefined {
  if (declared === undefined || /LicenseRef|DocumentRef/.test(declared)) return undefined
  try {
    parse(declared)
    return declared
  } catch {
    return undefined
  }
}
