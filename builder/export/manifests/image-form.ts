import { formatPlatform, type Platform, parsePlatform, TsbuildError } from '#core'

/** The documents that annotations go to: a manifest or the index, or what refers to it. */
type AnnotationLevel = 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor'

/** One annotation. Spec: image-spec v1.1 annotations.md */
export interface Annotation {
  readonly level: AnnotationLevel
  /** Of manifests, that of one platform alone: `os/arch[/variant]`. Default: all. */
  readonly platform?: string
  readonly key: string
  readonly value: string
}

/** What an output may ask for in the manifests of its images. */
export interface ImageForm {
  readonly annotations?: readonly Annotation[]
  /** With `false`, documents and layers have docker's media types. Default: true. */
  readonly ociMediaTypes?: boolean
  /**
   * With `false`, what is said of an image is in the form of an image itself, for registries that refuse others.
   * Default: true.
   */
  readonly ociArtifact?: boolean
}

/** The images that a form is for. */
export interface FormedImages {
  /** In their order; one without an index. */
  readonly platforms: readonly Platform[]
  readonly isIndex: boolean
  /** Something is said of them, which an index lists. */
  readonly isAttested?: boolean
}

/**
 * Finds what cannot be done to images.
 * @throws {TsbuildError} USAGE, PLATFORM_MISMATCH for a platform that is not built
 */
export function checkForm(form: ImageForm, images: FormedImages): void {
  const { annotations = [], ociMediaTypes } = form
  if (annotations.length > 0 && ociMediaTypes === false) {
    throw new TsbuildError('cannot export annotations with "oci-mediatypes=false"', {
      code: 'USAGE',
      hint: "docker's manifests have none: leave one of them out",
    })
  }
  if (images.isAttested === true && ociMediaTypes === false) {
    throw new TsbuildError('cannot export attestations with "oci-mediatypes=false"', {
      code: 'USAGE',
      hint: "docker's manifests are about nothing: leave one of them out",
    })
  }
  for (const annotation of annotations) checkAnnotation(annotation, images)
}

function checkAnnotation(
  { level, platform, key }: Annotation,
  { platforms, isIndex, isAttested }: FormedImages,
): void {
  if (key === '') throw new TsbuildError('an annotation has no key', { code: 'USAGE' })
  if (!isIndex && isAttested !== true && (level === 'index' || level === 'index-descriptor')) {
    throw new TsbuildError('index annotations not supported for single platform export', {
      code: 'USAGE',
      hint: 'there is no index: annotate the manifest, or build for several platforms',
    })
  }
  if (platform === undefined || platforms.some((one) => isFor(platform, one))) return
  throw new TsbuildError(`annotation ${key} is for ${platform}, which is not built`, {
    code: 'PLATFORM_MISMATCH',
    hint: `choose one of ${platforms.map(formatPlatform).join(', ')}`,
  })
}

/** The annotations of one level, of the image of a platform where they are of manifests. */
export function annotationsFor(
  { annotations = [] }: ImageForm,
  level: Annotation['level'],
  image?: Platform,
): Readonly<Record<string, string>> | undefined {
  const found = annotations.filter((one) => {
    const isForImage =
      one.platform === undefined || image === undefined || isFor(one.platform, image)
    return one.level === level && isForImage
  })
  if (found.length === 0) return undefined
  return Object.fromEntries(found.map(({ key, value }) => [key, value]))
}

function isFor(text: string, platform: Platform): boolean {
  return formatPlatform(parsePlatform(text)) === formatPlatform(platform)
}
