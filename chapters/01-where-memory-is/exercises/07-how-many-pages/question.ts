// SPDX-License-Identifier: MIT
//
// The order of a block that is large enough for so many frames of a picture.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { get_order, round_up } from 'contiguous/lib/units'

const SIZES = [
  [320, 240],
  [640, 480],
  [800, 480],
  [1024, 600],
  [1280, 720],
  [1280, 800],
] as const

export function ask(rng: Rng): Question {
  const [width, height] = oneOf(rng, SIZES)
  const bytes = oneOf(rng, [1, 2, 3, 4])
  const frames = 1 + rng.next(3)
  const size = width * height * bytes * frames
  const order = get_order(size)
  const pages = round_up(size, 4096) / 4096
  return {
    text: [
      `A driver wants ${frames === 1 ? 'a picture' : `${frames} pictures in a row`} of ${width} × ${height} pixels at ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}, without gaps, from \`alloc_pages()\`.`,
      'A page is 4 KiB.',
      'Which order must it ask for?',
    ].join('\n'),
    kind: 'number',
    read: 'Pages and frames',
    answer: String(order),
    wrong: [
      {
        rule: 'ex-order-is-count',
        answer: String(pages),
        text: 'that is the number of pages; the order is an exponent',
      },
      {
        rule: 'ex-order-rounded-down',
        answer: String(Math.floor(Math.log2(pages))),
        text: 'a block of that order is too small: a power of two that is not enough is followed by the next',
      },
      {
        rule: 'ex-block-not-order',
        answer: String(2 ** order),
        text: 'that is the number of pages in the block; the order is the exponent of it',
      },
      {
        rule: 'ex-order-of-bytes',
        answer: String(get_order(size, 1)),
        text: 'you count in bytes; an order counts pages, so it is smaller by 12',
      },
    ],
  }
}
