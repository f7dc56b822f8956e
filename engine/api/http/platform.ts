import { type Platform, readDocument, type Shape, shapes, TsbuildError } from '#core'

const { list, object, string } = shapes

const PLATFORM: Shape<Partial<Platform>> = object({
  os: string,
  architecture: string,
  variant: string,
  'os.version': string,
  'os.features': list(string),
})

/** A platform as queries have it since 1.48: JSON. @throws {TsbuildError} USAGE */
export function readPlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined
  const reading = { what: 'platform', code: 'USAGE' } as const
  const { os, architecture, ...more } = readDocument(Buffer.from(text), PLATFORM, reading)
  if (os !== undefined && os !== '' && architecture !== undefined && architecture !== '') {
    return { os, architecture, ...more }
  }
  throw new TsbuildError('both OS and Architecture must be provided', { code: 'USAGE' })
}

/** As `os/arch[/variant]`. */
export function platformText(platform: Platform | undefined): string | undefined {
  if (platform === undefined) return undefined
  const { os, architecture, variant } = platform
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}
