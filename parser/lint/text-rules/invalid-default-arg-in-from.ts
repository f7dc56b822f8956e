import { expandTracked } from '../../scope/expanded.ts'
import { isImageName } from '../rule/image-name.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** InvalidDefaultArgInFrom. */
export const invalidDefaultArgInFrom: Rule = {
  name: 'InvalidDefaultArgInFrom',
  description: 'FROM names an image even without build arguments',
  url: 'https://docs.docker.com/go/dockerfile/rule/invalid-default-arg-in-from/',
  isExperimental: false,
  order: 17,
  file: ({ stages, escape: mark }, { defaults }) => {
    return stages.flatMap(({ from }) => {
      const { raw } = from.image
      const { value } = expandTracked(raw, { variables: defaults, escape: mark })
      if (value === undefined || isImageName(value)) return []
      const message = `Default value for ARG ${raw} results in empty or invalid base image name`
      return [findingAt(from, message)]
    })
  },
}
