// VitePress's theme, with enough contrast in blocks of code, room for their lines, tables that fit on a telephone, and a
// sidebar that shows the current page.
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { useCurrentPageInSidebar } from './sidebar.ts'
import './accessibility.css'
import './home.css'
import './layout.css'

export default { extends: DefaultTheme, setup: useCurrentPageInSidebar } satisfies Theme
