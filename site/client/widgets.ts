// SPDX-License-Identifier: MIT
//
// Widgets wake when they come near the window: until then a page has their first frames and nothing of their scripts.

const wakes = (name: string): Promise<unknown> =>
  name === 'contig-number' ? import('../widgets/number.ts') : import('../widgets/element.ts')

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue
      near.unobserve(target)
      wakes(target.localName).catch((error: unknown) => console.warn(error))
    }
  },
  { rootMargin: '300px' },
)

document.querySelectorAll('contig-widget, contig-number').forEach((each) => near.observe(each))
