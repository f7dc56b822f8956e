import { type Shape, shapes } from '../json/shape.ts'
import type { Platform } from './platform.ts'

const { list, string } = shapes

/** The fields that tell a platform, in a descriptor's `platform` and in an image config. */
export const PLATFORM_FIELDS: {
  readonly [K in keyof Platform]-?: Shape<NonNullable<Platform[K]>>
} = {
  os: string,
  architecture: string,
  variant: string,
  'os.version': string,
  'os.features': list(string),
}

/** What the fields say; a system or architecture not given is `''`. */
export function toPlatform(fields: Partial<Platform>): Platform {
  const { os = '', architecture = '', variant = '' } = fields
  const { 'os.version': version = '', 'os.features': features = [] } = fields
  return {
    os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(version === '' ? {} : { 'os.version': version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
  }
}
