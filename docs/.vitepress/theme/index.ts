// VitePress's theme, with enough contrast in blocks of code, room for their lines, tables that fit on a telephone, a
// sidebar that shows the current page, and a search box that assistive technologies can read.
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { useAccessibleSearchBox } from './search-box.ts'
import { useCurrentPageInSidebar } from './sidebar.ts'
import './accessibility.css'
import './home.css'
import './layout.css'

function setup(): void {
  useCurrentPageInSidebar()
  useAccessibleSearchBox()
}

export default { extends: DefaultTheme, setup } satisfies Theme
