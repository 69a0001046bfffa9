// The figures as a page, and for programs as JSON.

import type { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { byField, type Durations, type Figures, readFigures } from '../figures/read.ts'
import { prefersHtml } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { brandOf } from '../pages/layout.tsx'
import { chartStylesheet } from './charts/chart-css.ts'
import { sendDesk } from './desk-layout.tsx'
import { CHART_STYLESHEET_PATH, FIGURES_PATH, FiguresPage } from './figures-page.tsx'

/**
 * `GET /admin/figures?by=hour|day`. Whoever mounts it sees to who may look.
 * @param deps capabilities
 */
export function figuresRoutes(deps: Deps): Hono {
  const app = newApp()
  const brand = brandOf(deps.config)
  const hasReports = deps.config.reportingProviders.length > 0

  app.get(FIGURES_PATH, async (c) => {
    const figures = await readFigures(deps, byField.parse(c.req.query('by')))
    c.header('Vary', 'Accept', { append: true })
    if (!prefersHtml(c)) return c.json({ ok: true, ...asJson(figures) })
    return sendDesk(c, <FiguresPage brand={brand} figures={figures} hasReports={hasReports} />)
  })

  app.get(CHART_STYLESHEET_PATH, (c) =>
    c.body(chartStylesheet, 200, {
      'Content-Type': 'text/css; charset=utf-8',
      'Cache-Control': 'private, max-age=3600',
    }),
  )
  return app
}

/** The page's numbers. Instants in ISO 8601, durations in milliseconds. */
function asJson(figures: Figures) {
  return {
    by: figures.by,
    from: instantOf(figures.from),
    funnel: figures.funnel,
    periods: figures.periods.map(({ at, ...counts }) => ({ at: instantOf(at), ...counts })),
    time_to_verify: durationsAsJson(figures.timeToVerify),
    queue_age: { ...durationsAsJson(figures.queueAge), longest_ms: figures.longestQueueAge },
    mails_by_provider: figures.providers,
    mails_by_state: figures.states,
    bounces_by_domain: figures.bounces,
    limits: { mails_withheld: figures.withheld, requests_refused_at_least: figures.refusals },
  }
}

function durationsAsJson({ total, buckets, medianWithin, p90Within }: Durations) {
  return {
    total,
    median_within_ms: medianWithin,
    p90_within_ms: p90Within,
    buckets: buckets.map(({ upTo, count }) => ({ up_to_ms: upTo, count })),
  }
}

function instantOf(at: number): string {
  return new Date(at).toISOString()
}
