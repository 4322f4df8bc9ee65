// SPDX-License-Identifier: MIT
//
// <contig-movie>: the first frame of the model's film stands in it as HTML (movie_html.ts). When it wakes it gets controls
// and reads that film; a click on a link to a trace, and a file that is dropped, chosen or pasted, plays another.
//
// Whatever comes in is read in a worker, with a bound on what is kept. Until it has been read, and when it turns out to be
// no trace, the film from before stays.
import { fill } from '../../client/words.ts'
import type { MovieText } from '../../text/en_movie.ts'
import type { WidgetText } from '../../text/en_widgets.ts'
import { type Controls, makeControls } from '../controls.ts'
import { morph } from '../morph.ts'
import { widgetText } from '../text.ts'
import { type Reading, readTrace } from './ask_trace.ts'
import type { Film } from './film_types.ts'
import { type FilmFrame, openFilm } from './frame.ts'
import { listenForFiles } from './incoming.ts'
import { movieStage } from './picture.ts'
import { createPlayer, playerKey } from './player.ts'
import type { Played, TraceSource } from './read_source.ts'
import { sentenceOfStep } from './sentence.ts'
import { movieText } from './text.ts'
import { makeTools, type Tools } from './tools.ts'
import { verdictOf } from './verdict.ts'

const STEP_MS = 500
const MIB = 2 ** 20

export class ContigMovie extends HTMLElement {
  private films: readonly Film[] = []
  private film: Film | null = null
  private frameAt: ((at: number) => FilmFrame) | null = null
  private readonly player = createPlayer(STEP_MS, () => this.show())
  private words!: MovieText
  private controls: Controls | null = null
  private tools: Tools | null = null
  private running: Reading<Played> | null = null
  private forget = (): void => undefined

  private piece(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.${name}`)
    if (!found) throw new Error(`contig-movie: no element of class ${name} inside`)
    return found
  }

  async connectedCallback(): Promise<void> {
    if (this.controls) return
    const [widget, words] = await Promise.all([widgetText(), movieText()])
    this.words = words
    this.addControls(widget)
    this.addEventListener('keydown', (event) => playerKey(this.player, event))
    this.forget = listenForFiles(
      document,
      (file, name) => this.read({ file }, name ?? words.pasted, file.size),
      (over) => this.classList.toggle('movie-over', over),
    )
    document.addEventListener('click', (event) => this.follow(event))
    const first = document.querySelector<HTMLAnchorElement>('a[data-trace]')
    if (first) this.read({ url: first.href }, first.textContent ?? '', 0, true)
  }

  disconnectedCallback(): void {
    this.forget()
    this.player.stop()
    this.running?.stop()
  }

  private addControls(widget: WidgetText): void {
    this.controls = makeControls(widget.controls, this.words.title, {
      go: (at) => this.player.go(at),
      play: () => this.player.toggle(),
    })
    this.tools = makeTools(this.words, {
      open: (file) => this.read({ file }, file.name, file.size),
      area: (index) => this.choose(index),
      cancel: () => this.cancel(),
    })
    this.append(this.controls.element, this.tools.element)
    this.controls.show({ at: 0, count: Number(this.dataset['frames']), playing: false })
  }

  // A link to a trace plays it; with a modifier key it is a link.
  private follow(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-trace]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.read({ url: link.href }, link.textContent ?? '', 0)
    this.scrollIntoView({ block: 'nearest' })
  }

  /** `quietly`: what has been in the page from the start needs no word. */
  private read(source: TraceSource, name: string, total: number, quietly = false): void {
    this.running?.stop()
    const show = (done: number): void => this.tools?.reading({ done, total })
    if (!quietly) {
      show(0)
      const size = (total / MIB).toFixed(total < MIB ? 2 : 0)
      this.say(total > 0 ? fill(this.words.reading, { name, size }) : '')
    }
    this.name = name
    const reading = (this.running = readTrace(source, show))
    reading.answer.then(
      (played) => this.take(played, name, quietly),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        this.end(fill(this.words.problems.failed, { name, why }))
      },
    )
  }

  private name = ''

  private cancel(): void {
    this.running?.stop()
    this.end(fill(this.words.stopped, { name: this.name }))
  }

  private end(text: string): void {
    this.running = null
    this.tools?.reading(null)
    this.say(text)
  }

  private take(played: Played, name: string, quietly: boolean): void {
    const { plays, text } = verdictOf(played, played.films.length > 0, name, this.words)
    this.end(quietly && plays ? '' : text)
    if (!plays) return
    this.films = played.films
    this.tools?.areas(played.films.map(({ area }) => area ?? this.words.unnamedArea))
    this.choose(0)
  }

  private choose(index: number): void {
    const film = this.films[index]
    if (!film) return
    this.film = film
    this.frameAt = openFilm(film)
    this.player.load(film.steps.length)
  }

  private say(text: string): void {
    this.piece('movie-status').textContent = text
  }

  private show(): void {
    const { at, count, playing } = this.player
    const frame = count > 0 ? this.frameAt?.(at) : undefined
    if (!frame || !this.film) return
    morph(this.piece('movie-stage'), movieStage(this.film, frame, this.words))
    const said = this.piece('widget-said')
    // While it plays, a reader of screens would speak into its own words.
    said.setAttribute('aria-live', playing ? 'off' : 'polite')
    const sentence = sentenceOfStep(frame.step, this.words)
    if (said.textContent !== sentence) said.textContent = sentence
    this.controls?.show({ at, count, playing })
  }
}

customElements.define('contig-movie', ContigMovie)
