// SPDX-License-Identifier: MIT
//
// Widgets wake when they come near the window: until then a page has their first frames and nothing of their scripts.

const WAKES: Readonly<Record<string, () => Promise<unknown>>> = {
  'contig-widget': () => import('../widgets/element.ts'),
  'contig-map': () => import('../widgets/map_element.ts'),
  'contig-number': () => import('../widgets/number.ts'),
  'contig-movie': () => import('../widgets/movie/element.ts'),
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue
      near.unobserve(target)
      WAKES[target.localName]?.().catch((error: unknown) => console.warn(error))
    }
  },
  { rootMargin: '300px' },
)

document.querySelectorAll(Object.keys(WAKES).join()).forEach((each) => near.observe(each))
