// VitePress's theme, with enough contrast in blocks of code, and room for their lines.
import DefaultTheme from 'vitepress/theme'
import './contrast.css'
import './layout.css'

export default DefaultTheme
