// VitePress's theme, with enough contrast in blocks of code.
import DefaultTheme from 'vitepress/theme'
import './contrast.css'

export default DefaultTheme
