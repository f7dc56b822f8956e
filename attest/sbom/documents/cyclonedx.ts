import { randomUUID } from 'node:crypto'
import type { JsonObject } from '#core'
import type { FoundPackages } from '../package/found-packages.ts'
import type { Package } from '../package/package.ts'
import { type DocumentOptions, TOOL } from './document-options.ts'
import { licenseExpression } from './license-expression.ts'

/** The packages as a document of CycloneDX 1.5. Spec: https://cyclonedx.org/docs/1.5/json/ */
export function cycloneDx(
  { packages, distribution }: FoundPackages,
  { name, createdAt }: DocumentOptions,
): JsonObject {
  const system =
    distribution === undefined
      ? []
      : [
          {
            type: 'operating-system',
            'bom-ref': `os:${distribution.id}`,
            name: distribution.id,
            ...(distribution.version === undefined ? {} : { version: distribution.version }),
          },
        ]
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: createdAt.toISOString(),
      tools: { components: [{ type: 'application', name: TOOL }] },
      component: {
        type: 'container',
        'bom-ref': 'image',
        name,
        ...(name === '_' ? {} : { purl: name }),
      },
    },
    components: [...system, ...packages.map(componentOf)],
  }
}

function componentOf({ name, version, license, supplier, source, url }: Package): JsonObject {
  return {
    type: 'library',
    'bom-ref': url,
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    name,
    version,
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    purl: url,
    properties: [{ name: `${TOOL}:source`, value: `/${source}` }],
  }
}

/** An expression, or what was declared in its own words. */
function licenseOf(license: string): JsonObject {
  const expression = licenseExpression(license)
  return expression === undefined ? { license: { name: license } } : { expression }
}
