# The app with the shipped checkpoint, for CPUs.
#
#     docker build -t gru-sentiment-studio .
#     docker run -p 7860:7860 -v quiz-data:/app/data gru-sentiment-studio
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 studio
WORKDIR /app

COPY requirements.txt ./
# From that index, PyTorch comes without several gigabytes of CUDA libraries.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

COPY app.py ./
COPY quiz quiz/
COPY sentiment_gru sentiment_gru/
# The answers of the quiz are the only files that the app keeps; a new volume takes over the owner.
RUN mkdir data && chown studio data

USER studio
ENV HOST=0.0.0.0 PORT=7860 PYTHONUNBUFFERED=1
EXPOSE 7860
VOLUME /app/data
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/', timeout=8)"]
CMD ["python", "app.py"]
