// SPDX-License-Identifier: MIT
//
// A plugin of TypeDoc: each page of the API begins with the chapters that tell its lines, and holds addresses that are good in
// any folder; its navigation has files, not all of the 4,000 names in them, which made ten thousand elements a page.
import {
  type Application,
  type DeclarationReflection,
  DefaultTheme,
  type DefaultThemeRenderContext,
  JSX,
  PageEvent,
  type Reflection,
  RendererEvent,
} from 'typedoc'
import { FIRST as text } from './languages.ts'
import { root } from './paths.ts'
import { mendApiPage } from './publish/api_page.ts'
import { relativeHtml } from './publish/relative.ts'
import type { Place } from './weave/types.ts'
import { loadWeave } from './weave/weave.ts'

type PlacesOf = (file: string) => ReadonlyMap<number, Place>

/** Where in the book a declaration is told: the listing that has its first line, or all chapters of a module. */
function placesOf(model: Reflection, placesIn: PlacesOf): Place[] {
  const { sources, signatures } = model as DeclarationReflection
  const all = sources ?? signatures?.flatMap((signature) => signature.sources ?? []) ?? []
  return all.flatMap(({ fileName, line }) => {
    const places = placesIn(fileName)
    if (model.isDeclaration() && model.kindOf(MODULE)) return firstOfEachChapter([...places.values()])
    const place = places.get(line)
    return place ? [place] : []
  })
}

/** ReflectionKind.Module, whose name is no type-only import. */
const MODULE = 2

function firstOfEachChapter(places: readonly Place[]): Place[] {
  return places.filter(({ chapter }, i) => places.findIndex((other) => other.chapter === chapter) === i)
}

function link({ chapter, anchor }: Place): JSX.Element {
  const name = chapter.number ? `${text.chapter} ${chapter.number}, ${chapter.title}` : chapter.title
  return JSX.createElement('a', { href: `${chapter.url}#${anchor}` }, name)
}

/** TypeDoc's own, but the first page, which is the list of all files, has it once and not two times more beside it. */
class ApiTheme extends DefaultTheme {
  override getRenderContext(page: PageEvent<Reflection>): DefaultThemeRenderContext {
    const context = super.getRenderContext(page)
    const nothing = (): JSX.Element => JSX.createElement(JSX.Fragment, null)
    if (page.url === 'index.html') Object.assign(context, { pageNavigation: nothing, navigation: nothing })
    return context
  }
}

/** TypeDoc calls it. */
export function load(app: Application): void {
  app.renderer.defineTheme('contiguous', ApiTheme)
  const weave = loadWeave(root)
  const known = new Map<string, ReadonlyMap<number, Place>>()
  const placesIn: PlacesOf = (file) => {
    const places = known.get(file) ?? weave.placesOf(file)
    known.set(file, places)
    return places
  }
  app.renderer.hooks.on('content.begin', (context) => {
    const places = placesOf(context.page.model as Reflection, placesIn)
    if (places.length === 0) return JSX.createElement(JSX.Fragment, null)
    const links = places.flatMap((place, i) => (i > 0 ? [', ', link(place)] : [link(place)]))
    return JSX.createElement('p', { class: 'told' }, `${text.toldIn} `, ...links)
  })
  app.renderer.on(PageEvent.END, (page) => {
    if (!page.contents) return
    const html = mendApiPage(page.contents, { course: text.siteNavigation, files: text.api })
    page.contents = relativeHtml(html, `/api/${page.url}`)
  })
  app.renderer.on(RendererEvent.BEGIN, ({ project }) =>
    app.options.setValue('navigationLeaves', project.children?.map((module) => module.getFullName()) ?? []),
  )
}
