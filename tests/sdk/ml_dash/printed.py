"""The examples of the published reference, as they are printed there."""

PARAMS = """
exp.params.set(learning_rate=0.001, batch_size=32)
exp.params.set(model={"architecture": "resnet50", "layers": 50})
# Stored as: {"learning_rate": 0.001, "batch_size": 32,
#             "model.architecture": "resnet50", "model.layers": 50}
"""
GET_PARAMS = """
flat = exp.params.get()
# {"learning_rate": 0.001, "model.architecture": "resnet50"}

nested = exp.params.get(flatten=False)
# {"learning_rate": 0.001, "model": {"architecture": "resnet50"}}
"""
LOG = """
exp.log("Training started")
exp.log("Warning: Low GPU memory", level="warn")
exp.log("Epoch completed", level="info", epoch=1, loss=0.5)
"""
LOGS = """
exp.logs.info("Training started", epoch=1)
exp.logs.error("Failed to load data", error_code=500)
"""
PREFIXED = """
exp.metrics("train").log(loss=0.5, accuracy=0.85)
exp.metrics.log(
    epoch=epoch,
    train=dict(loss=train_loss, accuracy=train_acc),
    eval=dict(loss=val_loss, accuracy=val_acc),
)
"""
BUFFER = """
for batch in dataloader:
    loss = train_step(batch)
    exp.metrics("train").buffer(loss=loss)
"""
SUMMARIES = """
exp.metrics.buffer.log_summary()                          # mean only
exp.metrics.buffer.log_summary("mean", "std", "min", "max", "count")
exp.metrics.buffer.log_summary("p50", "p90", "p95", "p99")
"""
FLUSH = """
exp.metrics.log(epoch=epoch).flush()
"""
READ = """
data = exp.metrics("train_loss").read(start_index=0, limit=100)
"""
STATS = """
stats = exp.metrics("train_loss").stats()
"""
SAVE = """
exp.files("models").save("./model.pt")
exp.files("models").save(
    "./model.pt",
    description="Best checkpoint",
    tags=["best"],
    metadata={"epoch": 50},
    bindrs=["v1", "production"],
)
"""
SAVE_JSON = """
exp.files("configs").save_json({"lr": 0.001}, to="config.json")
"""
SAVE_TORCH = """
exp.files("models").save_torch(model, to="model.pt")
exp.files("models").save_torch(model.state_dict(), to="model.pth")
"""
SAVE_PKL = """
exp.files("data").save_pkl({"results": [1, 2, 3]}, to="data.pkl")
"""
SAVE_FIG = """
exp.files("plots").save_fig(to="plot.png")
exp.files("plots").save_fig(fig=fig, to="plot.pdf", dpi=150, bbox_inches="tight")
"""
SAVE_VIDEO = """
exp.files("videos").save_video(frames, to="output.mp4", fps=30)
exp.files("videos").save_video(frames, to="hq.mp4", codec="libx264", quality=8)
"""
LIST = """
exp.files().list()                       # all files
exp.files("models").list()               # by prefix
exp.files(tags=["checkpoint"]).list()    # by tags
"""
DOWNLOAD = """
path = exp.files(file_id="123").download()
path = exp.files(file_id="123").download(dest_path="./model.pt")
"""
UPDATE = """
exp.files(
    file_id="123",
    description="Updated",
    tags=["new"],
    metadata={"version": "2.0"},
).update()
"""
DELETE = """
exp.files(file_id="123").delete()
"""
