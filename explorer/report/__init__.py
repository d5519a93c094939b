"""A check as text, JSON, JUnit XML, Markdown and one self-contained HTML card: for people, CI and archives."""
