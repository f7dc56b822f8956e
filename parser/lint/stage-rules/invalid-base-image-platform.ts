import { formatPlatform, normalizePlatform } from '#core'
import { findingAt, type Rule } from '../rule/rule.ts'

/** InvalidBaseImagePlatform: only images without an index can come for another platform. */
export const invalidBaseImagePlatform: Rule = {
  name: 'InvalidBaseImagePlatform',
  description: 'The base image is for the platform that is built for',
  url: undefined,
  isExperimental: false,
  order: 14,
  base: (from, { image, expected, actual }) => {
    const [wanted, given] = [normalizePlatform(expected), normalizePlatform(actual)]
    if (wanted.os === given.os && wanted.architecture === given.architecture) return []
    const [has, needs] = [given, wanted].map((one) => JSON.stringify(formatPlatform(one)))
    const message = `Base image ${image} was pulled with platform ${has}, expected ${needs} for current build`
    return [findingAt(from, message)]
  },
}
