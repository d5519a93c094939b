# The app for a team, on the processor: docker build -t pruning-explorer . && docker compose up
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE app.py server.py ./
COPY .streamlit .streamlit
COPY pages pages
COPY explorer explorer
COPY sample_models sample_models
RUN python -m venv /opt/explorer \
 && /opt/explorer/bin/pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu \
 && /opt/explorer/bin/pip install --no-cache-dir .

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin explorer \
 && install --directory --owner=explorer /data
COPY --from=build /opt/explorer /opt/explorer
# Nothing but /data and /tmp is written: the rest of the file system may be read-only.
ENV PATH=/opt/explorer/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp
USER explorer
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["pruning-explorer", "app", "--address", "0.0.0.0", "--open-to-network", "--port", "8501", "--data-dir", "/data", "--root", "/data", "--no-browser"]
